-- What webhooks are told of the do-not-call list.
--- @include "events"

-- Tells of a change; `wish` says by whom and why, as JSON. A keyed digest is nobody's number.
local function note_person(kind, number, wish)
    if string.sub(number, 1, 1) == '+' and is_followed() then
        local data = cjson.decode(wish)
        data.number = number
        local key_pressed = data.source == 'key-press' and kind == 'person.listed'
        note_event(key_pressed and 'person.opted_out' or kind, data)
    end
end

-- Ends a call whose number is on the do-not-call list.
--- @include "fail_unplaced"

local function end_listed(id, age, keep)
    fail_unplaced(id, 'do-not-call', 'Do-not-call: the number is on the do-not-call list.', age, keep)
end

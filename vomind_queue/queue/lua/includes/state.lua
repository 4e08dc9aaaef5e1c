-- The state of a call, as everybody may see it.
--- @include "campaign"
--- @include "job"
--- @include "staging"

local function state_of(id)
    local state = redis.call('HGET', job_key(id), 'state')
    return state and not is_staged(id) and not is_withdrawn(id) and state
end

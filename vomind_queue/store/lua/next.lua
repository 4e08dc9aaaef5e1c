-- Ends a call, takes the next one and begins it, in one go.
--
-- Each of the three is the script of its name, which stands above this as a function of its
-- arguments. Nothing of a call that is refused its beginning is left over: it is given back.
-- While a limit is in force the next call is only taken: its start counts from its beginning, and
-- that is to be right before it is placed.
--
-- KEYS[1]   active
-- ARGV[1…]  18 of `finish`, 8 of `take`
-- ARGV[27]  attempt token of the next call, fresh
-- ARGV[28]  how long a call stands back for another one to the same number, ms
-- Returns   {answer of `finish`, answer of `take`, answer of `begin` where that was asked}
--- @script "finish"
--- @script "take"
--- @script "begin"
--- @include "rate"

local ended = finish({ unpack(ARGV, 1, 18) })
local found = take({ unpack(ARGV, 19, 26) })
local id, lease = found[5], found[6]
if not id or rate_in_force(ARGV[22], ARGV[23]) > 0 then
    return { ended, found }
end
return { ended, found, begin({ id, lease, ARGV[27], ARGV[22], ARGV[23], ARGV[28], '1' }) }

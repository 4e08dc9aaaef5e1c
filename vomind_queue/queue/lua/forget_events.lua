-- Has the notifier remove the events that name a number, those to come of earlier entries included.
--
-- KEYS[1]  events:outbox
-- ARGV[1]  the number
-- Returns  {}
-- Touches  outbox
--- @include "events"
--- @include "memory"

free_first()
note_event('person.forgotten', { number = ARGV[1] })
return {}

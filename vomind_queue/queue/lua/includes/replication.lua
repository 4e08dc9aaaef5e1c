-- Stands above every script, unnamed.
--
-- A script that reads the time before it writes needs effect replication, which
-- is the default from Redis 7 on and has to be asked for before.
if redis.replicate_commands then
    redis.replicate_commands()
end


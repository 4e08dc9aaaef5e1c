-- Calls over time: how they ended and how long they had waited, by the time of their last attempt.
-- Safe to run again. Needs PostgreSQL 14.

-- All that is needed is in the index.
create index if not exists call_trends on public.call_logs (started_at)
    include (queued_at, scheduled_at, attempts, outcome, answered_by);

create or replace function public.call_trends(since timestamptz, until timestamptz, step_ms integer)
returns table (at timestamptz, outcomes jsonb, waits jsonb)
language sql stable set search_path = '' as $$
    with calls as (
        select
            date_bin(step_ms * interval '1 ms', started_at, 'epoch') as at,
            case
                when outcome = 'completed' and answered_by ~ '^(machine|fax)' then 'machine'
                else coalesce(outcome, 'none')
            end as ended,
            -- A call that was dialed again waited for something else.
            case when attempts <= 1 then greatest(
                extract(epoch from started_at - greatest(queued_at, scheduled_at)) * 1000, 0
            )::bigint end as wait
        from public.call_logs
        where started_at >= since and started_at < until
    ),
    counted as (
        select
            at,
            ended,
            -- Rounded up, so that there are few.
            case
                when wait <= 1000 then (wait + 49) / 50 * 50
                when wait <= 10000 then (wait + 249) / 250 * 250
                when wait <= 60000 then (wait + 999) / 1000 * 1000
                when wait <= 600000 then (wait + 9999) / 10000 * 10000
                when wait <= 3600000 then (wait + 59999) / 60000 * 60000
                else (wait + 599999) / 600000 * 600000
            end as waited,
            count(*) as number
        from calls group by 1, 2, 3
    ),
    by_outcome as (
        select at, jsonb_object_agg(ended, number) as outcomes
        from (select at, ended, sum(number) as number from counted group by at, ended) as summed
        group by at
    ),
    by_wait as (
        select at, jsonb_object_agg(waited, number) as waits
        from (
            select at, waited, sum(number) as number from counted
            where waited is not null group by at, waited
        ) as summed
        group by at
    )
    select at, outcomes, coalesce(waits, '{}') from by_outcome left join by_wait using (at)
    order by at
$$;

-- Only for whoever holds the service key, as the tables.
do $$
declare
    role_name text;
begin
    revoke all on function public.call_trends from public;
    foreach role_name in array array['anon', 'authenticated'] loop
        if exists (select from pg_catalog.pg_roles where rolname = role_name) then
            execute format('revoke all on function public.call_trends from %I', role_name);
        end if;
    end loop;
    if exists (select from pg_catalog.pg_roles where rolname = 'service_role') then
        grant execute on function public.call_trends to service_role;
    end if;
end
$$;
-- The REST API of Supabase looks for new functions.
notify pgrst, 'reload schema';

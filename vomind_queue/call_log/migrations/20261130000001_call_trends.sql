-- Calls over time: how they ended and how long they had waited, by the time of their last attempt.
-- Safe to run again. Needs PostgreSQL 14.

-- All that is needed is in the index.
create index if not exists call_trends on public.call_logs (started_at)
    include (queued_at, scheduled_at, attempts, outcome, answered_by);

create or replace function public.call_trends(since timestamptz, until timestamptz, step_ms integer)
returns table (at timestamptz, outcomes jsonb, wait_p50_ms bigint, wait_p90_ms bigint)
language sql stable set search_path = '' as $$
    with calls as (
        select
            date_bin(step_ms * interval '1 ms', started_at, 'epoch') as at,
            case
                when outcome = 'completed' and answered_by ~ '^(machine|fax)' then 'machine'
                else coalesce(outcome, 'none')
            end as outcome,
            -- A call that was dialed again waited for something else.
            case when attempts <= 1
                then greatest(started_at - greatest(queued_at, scheduled_at), interval '0')
            end as wait
        from public.call_logs
        where started_at >= since and started_at < until
    ),
    counted as (
        select at, jsonb_object_agg(outcome, number) as outcomes
        from (select at, outcome, count(*) as number from calls group by at, outcome) as ended
        group by at
    ),
    waits as (
        select at, percentile_disc(array[0.5, 0.9]) within group (order by wait) as of_all
        from calls group by at
    )
    select
        at,
        outcomes,
        (extract(epoch from of_all[1]) * 1000)::bigint,
        (extract(epoch from of_all[2]) * 1000)::bigint
    from counted join waits using (at)
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

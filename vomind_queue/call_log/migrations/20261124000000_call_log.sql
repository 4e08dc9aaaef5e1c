-- The call log of VoMind Queue. Plain PostgreSQL; safe to run again, and beside tables of these
-- names that exist already: what is missing is added, and nothing is taken away.

create table if not exists public.call_logs (
    -- Orders calls by time; a call's own even where a new Redis counts ids from 1 again.
    call_key text collate "C" primary key
);
alter table public.call_logs
    add column if not exists call_key text collate "C",
    add column if not exists job_id text,
    -- Grows with every change of the call.
    add column if not exists version bigint,
    add column if not exists to_number text,
    add column if not exists lead_id text,
    add column if not exists priority text,
    add column if not exists message text,
    add column if not exists metadata jsonb,
    -- waiting, delayed, active, completed, failed, cancelled
    add column if not exists state text,
    add column if not exists attempts integer,
    add column if not exists scheduled_at timestamptz,
    add column if not exists queued_at timestamptz,
    add column if not exists started_at timestamptz,
    add column if not exists finished_at timestamptz,
    add column if not exists answered_at timestamptz,
    add column if not exists call_sid text,
    add column if not exists call_status text,
    -- completed, busy, no-answer, failed, canceled: Twilio's; not-placed: Twilio never took it
    add column if not exists outcome text,
    add column if not exists duration integer,
    add column if not exists price numeric,
    add column if not exists price_unit text,
    add column if not exists answered_by text,
    add column if not exists failure text,
    add column if not exists anonymized_at timestamptz,
    add column if not exists logged_at timestamptz default now();
create unique index if not exists call_logs_key on public.call_logs (call_key);
create index if not exists call_logs_job on public.call_logs (job_id, call_key);
create index if not exists call_logs_number on public.call_logs (to_number, call_key);
create index if not exists call_logs_lead on public.call_logs (lead_id, call_key);
create index if not exists call_logs_queued on public.call_logs (queued_at);
create index if not exists call_logs_finished on public.call_logs (finished_at);
create index if not exists call_logs_sid on public.call_logs (call_sid);

create table if not exists public.call_events (
    id bigint generated always as identity primary key
);
alter table public.call_events
    add column if not exists call_key text collate "C",
    add column if not exists job_id text,
    -- Orders the events of a call.
    add column if not exists sequence bigint,
    add column if not exists "time" timestamptz,
    add column if not exists event text,
    -- The call's state from then on; null where it did not change.
    add column if not exists state text,
    add column if not exists attempt integer,
    add column if not exists call_sid text,
    add column if not exists call_status text,
    add column if not exists direction text,
    add column if not exists from_number text,
    add column if not exists to_number text,
    add column if not exists duration integer,
    add column if not exists details jsonb,
    add column if not exists logged_at timestamptz default now();
create unique index if not exists call_events_order on public.call_events (call_key, sequence);
create index if not exists call_events_number on public.call_events (to_number);
create index if not exists call_events_sid on public.call_events (call_sid);
create index if not exists call_events_time on public.call_events ("time");

-- A delivery that comes late, because a shipper was stopped in the middle of it, must not undo a
-- newer one; nor must one bring back what was blanked.
create or replace function public.call_logs_keep_newest() returns trigger
language plpgsql set search_path = '' as $$
begin
    if new.version < old.version then
        return null;
    end if;
    if old.anonymized_at is not null then
        -- What becomes of the call is told all the same.
        new.to_number := null;
        new.lead_id := null;
        new.message := null;
        new.metadata := null;
        new.failure := null;
        new.anonymized_at := old.anonymized_at;
    end if;
    -- Not every row knows it, and the first that does knows it best.
    new.answered_at := coalesce(old.answered_at, new.answered_at);
    return new;
end
$$;
drop trigger if exists call_logs_keep_newest on public.call_logs;
create trigger call_logs_keep_newest before update on public.call_logs
    for each row execute function public.call_logs_keep_newest();

-- An event of a call that was blanked brings nothing back.
create or replace function public.call_events_stay_blank() returns trigger
language plpgsql set search_path = '' as $$
begin
    if exists (
        select from public.call_logs
        where call_key = new.call_key and anonymized_at is not null
    ) then
        new.from_number := null;
        new.to_number := null;
        new.details := '{}';
    end if;
    return new;
end
$$;
drop trigger if exists call_events_stay_blank on public.call_events;
create trigger call_events_stay_blank before insert on public.call_events
    for each row execute function public.call_events_stay_blank();

-- Tells the lead, where there is one, that it was called, and that a person answered. A lead is
-- never made, and whatever is wrong with the table of leads does not keep a call from the log.
create or replace function public.call_logs_tell_lead() returns trigger
language plpgsql set search_path = '' as $$
declare
    before public.call_logs;
    called boolean;
    answered boolean;
    id_type text;
begin
    if tg_op = 'UPDATE' then
        before := old;
    end if;
    called := new.call_sid is not null and new.call_sid is distinct from before.call_sid;
    answered := public.call_answered(new) and not public.call_answered(before);
    if new.lead_id is null or not (called or answered) or to_regclass('public.leads') is null then
        return null;
    end if;
    begin
        select format_type(atttypid, null) into id_type from pg_catalog.pg_attribute
            where attrelid = 'public.leads'::regclass and attname = 'id' and not attisdropped;
        if called then
            execute format('update public.leads set call_sid = $1 where id = $2::%s', id_type)
                using new.call_sid, new.lead_id;
        end if;
        if answered then
            execute format('update public.leads set lead_status = ''contacted'', '
                'last_contacted_at = $1 where id = $2::%s '
                'and (last_contacted_at is null or last_contacted_at < $1)', id_type)
                using coalesce(new.answered_at, new.finished_at, now()), new.lead_id;
        end if;
    exception when others then
        -- Such as an id that is none in that table, or a column that is missing.
        raise warning 'the lead of call % was not updated: %', new.job_id, sqlstate;
    end;
    return null;
end
$$;

-- Whether a person spoke with us, as far as is known: a machine's answer is told as such.
create or replace function public.call_answered(call public.call_logs) returns boolean
language sql immutable set search_path = '' as $$
    select coalesce(call.answered_by, '') !~ '^(machine|fax)'
        and (coalesce(call.outcome, '') = 'completed' or coalesce(call.answered_by, '') = 'human')
$$;

drop trigger if exists call_logs_tell_lead on public.call_logs;
create trigger call_logs_tell_lead after insert or update on public.call_logs
    for each row execute function public.call_logs_tell_lead();

-- Only for whoever holds the service key: row-level security without a policy.
alter table public.call_logs enable row level security;
alter table public.call_events enable row level security;
do $$
declare
    role_name text;
begin
    foreach role_name in array array['anon', 'authenticated'] loop
        if exists (select from pg_catalog.pg_roles where rolname = role_name) then
            execute format('revoke all on public.call_logs, public.call_events from %I', role_name);
        end if;
    end loop;
    if exists (select from pg_catalog.pg_roles where rolname = 'service_role') then
        grant select, insert, update, delete on public.call_logs, public.call_events to service_role;
    end if;
end
$$;

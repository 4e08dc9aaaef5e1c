-- Campaigns as they were last known, from which an empty Redis gets them back. Safe to run again.
-- The table is not called `campaigns`: an application may have one of its own.

create table if not exists public.call_campaigns (
    -- Orders campaigns by time; a campaign's own even where a new Redis counts ids from 1 again.
    campaign_key text collate "C" primary key,
    campaign_id text not null,
    -- Grows with every delivery.
    version bigint not null,
    name text not null,
    -- draft, scheduled, running, paused, finished, cancelled, deleted
    state text not null,
    -- As the API shows them under `data`.
    settings jsonb not null,
    -- Calls by where they are or how they ended, and `total`.
    counts jsonb not null,
    created_at timestamptz not null,
    started_at timestamptz,
    -- When it finished or was cancelled.
    ended_at timestamptz,
    -- Name of the API key.
    steered_by text,
    logged_at timestamptz default now()
);
create index if not exists call_campaigns_id on public.call_campaigns (campaign_id);

-- A delivery that comes late must not undo a newer one.
create or replace function public.call_campaigns_keep_newest() returns trigger
language plpgsql set search_path = '' as $$
begin
    if new.version < old.version then
        return null;
    end if;
    return new;
end
$$;
drop trigger if exists call_campaigns_keep_newest on public.call_campaigns;
create trigger call_campaigns_keep_newest before update on public.call_campaigns
    for each row execute function public.call_campaigns_keep_newest();

-- Only for whoever holds the service key: row-level security without a policy.
alter table public.call_campaigns enable row level security;
do $$
declare
    role_name text;
begin
    foreach role_name in array array['anon', 'authenticated'] loop
        if exists (select from pg_catalog.pg_roles where rolname = role_name) then
            execute format('revoke all on public.call_campaigns from %I', role_name);
        end if;
    end loop;
    if exists (select from pg_catalog.pg_roles where rolname = 'service_role') then
        grant select, insert, update, delete on public.call_campaigns to service_role;
    end if;
end
$$;

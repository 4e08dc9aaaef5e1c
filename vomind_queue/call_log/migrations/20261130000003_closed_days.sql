-- Days that were closed at run time, from which an empty Redis gets them back. Safe to run again.

create table if not exists public.closed_days (
    -- The day, or the first and the last of several, behind its region: US-LA:2027-02-09.
    id text collate "C" primary key,
    at timestamptz not null,
    -- Name of the API key.
    by_name text not null,
    reason text
);

-- Only for whoever holds the service key: row-level security without a policy.
alter table public.closed_days enable row level security;
do $$
declare
    role_name text;
begin
    foreach role_name in array array['anon', 'authenticated'] loop
        if exists (select from pg_catalog.pg_roles where rolname = role_name) then
            execute format('revoke all on public.closed_days from %I', role_name);
        end if;
    end loop;
    if exists (select from pg_catalog.pg_roles where rolname = 'service_role') then
        grant select, insert, update, delete on public.closed_days to service_role;
    end if;
end
$$;

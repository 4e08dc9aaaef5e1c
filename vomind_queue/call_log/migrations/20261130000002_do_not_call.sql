-- Changes of the do-not-call list, from which an empty Redis gets it back. Safe to run again.

create table if not exists public.do_not_call (
    -- Orders the changes.
    id text collate "C" primary key,
    -- listed, removed
    action text not null,
    -- A keyed digest where the person was forgotten.
    number text not null,
    at timestamptz not null,
    -- Name of the API key.
    by_name text not null,
    source text not null,
    reason text
);
create index if not exists do_not_call_number on public.do_not_call (number);

-- Only for whoever holds the service key: row-level security without a policy.
alter table public.do_not_call enable row level security;
do $$
declare
    role_name text;
begin
    foreach role_name in array array['anon', 'authenticated'] loop
        if exists (select from pg_catalog.pg_roles where rolname = role_name) then
            execute format('revoke all on public.do_not_call from %I', role_name);
        end if;
    end loop;
    if exists (select from pg_catalog.pg_roles where rolname = 'service_role') then
        grant select, insert, update, delete on public.do_not_call to service_role;
    end if;
end
$$;

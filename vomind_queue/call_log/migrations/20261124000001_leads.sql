-- What the call log says to leads, where the table exists; it is not made here.

do $$
begin
    if to_regclass('public.leads') is not null then
        alter table public.leads
            add column if not exists call_sid text,
            add column if not exists lead_status text,
            add column if not exists last_contacted_at timestamptz;
    end if;
end
$$;

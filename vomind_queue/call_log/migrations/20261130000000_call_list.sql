-- The list of calls: an index in its order for each choice of state, outcome and priority; the campaign
-- of a call, and what it says of how it is placed. Safe to run again. It writes the table anew once, which locks it:
-- seconds with a million calls.

alter table public.call_logs
    -- The same as call_key, for lists with such a filter. Ordered by call_key itself, PostgreSQL might
    -- take the primary key and read half a million waiting calls until it comes to a completed one.
    add column if not exists list_key text collate "C" generated always as (call_key) stored,
    -- A missing outcome as a value: by a null, no index is in order. Twilio calls a call to a machine
    -- completed.
    add column if not exists list_outcome text generated always as (
        case
            when outcome = 'completed' and answered_by ~ '^(machine|fax)' then 'machine'
            else coalesce(outcome, 'none')
        end
    ) stored;

create index if not exists call_list_state on public.call_logs (state, list_key);
create index if not exists call_list_outcome on public.call_logs (list_outcome, list_key);
create index if not exists call_list_priority on public.call_logs (priority, list_key);
create index if not exists call_list_state_outcome
    on public.call_logs (state, list_outcome, list_key);
create index if not exists call_list_state_priority
    on public.call_logs (state, priority, list_key);
create index if not exists call_list_outcome_priority
    on public.call_logs (list_outcome, priority, list_key);
create index if not exists call_list_all
    on public.call_logs (state, list_outcome, priority, list_key);

-- These did the same for two of the filters.
drop index if exists public.call_logs_state;
drop index if exists public.call_logs_outcome;

-- The calls of a campaign; those of none are not in these.
alter table public.call_logs add column if not exists campaign_id text;
create index if not exists call_list_campaign on public.call_logs (campaign_id, list_key)
    where campaign_id is not null;
create index if not exists call_list_campaign_state
    on public.call_logs (campaign_id, state, list_key) where campaign_id is not null;
create index if not exists call_list_campaign_outcome
    on public.call_logs (campaign_id, list_outcome, list_key) where campaign_id is not null;
create index if not exists call_list_campaign_both
    on public.call_logs (campaign_id, state, list_outcome, list_key) where campaign_id is not null;

-- Which states, outcomes, priorities and campaigns come together, so that the index is taken that fits all
-- that is chosen.
create statistics if not exists public.call_list_choices (mcv)
    on state, list_outcome, priority, campaign_id from public.call_logs;

-- retryOn, language and so on, so that a call can be placed again as it was.
alter table public.call_logs add column if not exists options jsonb;

-- As before, with the new column.
create or replace function public.call_logs_keep_newest() returns trigger
language plpgsql set search_path = '' as $$
begin
    if new.version < old.version then
        return null;
    end if;
    if old.anonymized_at is not null then
        new.to_number := null;
        new.lead_id := null;
        new.message := null;
        new.metadata := null;
        new.failure := null;
        new.options := null;
        new.anonymized_at := old.anonymized_at;
    end if;
    new.answered_at := coalesce(old.answered_at, new.answered_at);
    return new;
end
$$;

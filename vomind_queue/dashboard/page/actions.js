// What a person does to the queue: each says first what it will touch, and how it is undone.
import { call, fresh_key, get, job_path, now, post } from './api.js';
import { body_of } from './edit.js';
import { html, useLayoutEffect, useState } from './html.js';
import { done_here, overview, touched } from './live.js';
import { attempt, Choice, confirm, Field, say } from './parts.js';
import { count, is_on_the_line, many, masked, moment, outcome } from './words.js';

const done = (text, more) => {
  say(text, more);
  return touched();
};

/** Shows the queue as it is after an order of ours, whatever an older overview says. */
async function show_now(paused) {
  // The numbers are read for this request alone; their limit has another shape.
  const { success, rateLimit, ...now_so } = await get('api/queue/stats');
  if (now_so.paused !== paused) return;
  const { shown } = overview.get();
  if (!shown) return;
  const others = shown.reasons.filter((each) => !['paused', 'account'].includes(each.kind));
  const mine = { kind: 'paused', level: 'warning', title: `Paused by ${now_so.pausedBy}` };
  const stuck = others.some((each) => each.level === 'error');
  const going = now_so.stats.waiting || now_so.stats.active ? 'calling' : 'idle';
  done_here((next) => next.paused === paused, {
    ...now_so,
    state: stuck ? 'stuck' : paused ? 'paused' : going,
    reasons: paused ? [...(stuck ? others : []), mine, ...(stuck ? [] : others)] : others,
  });
}

async function do_pause({ reason } = {}) {
  await post('api/queue/pause', reason ? { reason } : undefined);
  await show_now(true);
  await done('The queue is paused.', {
    undo: { label: 'Resume', run: do_resume },
    topic: 'pause',
    holds: (shown) => shown.paused,
  });
}

async function do_resume() {
  await post('api/queue/resume');
  await show_now(false);
  await done('Calls go out again.', {
    undo: { label: 'Pause again', run: do_pause },
    topic: 'pause',
    holds: (shown) => !shown.paused,
  });
}

function Pausing({ choice, choose, shown }) {
  const reason = (event) => choose((old) => ({ ...old, reason: event.target.value.trim() }));
  return html`<p>No call starts from now on, on any worker, until somebody resumes: ${many(shown.stats.waiting, 'waiting call')} and ${count(shown.stats.delayed)} scheduled ones stay where they are. ${shown.stats.active ? `${many(shown.stats.active, 'call')} being dialed will go on.` : ''}</p>
    <${Field} id="reason" label="Reason" optional hint="Everybody who looks at the queue sees it.">${(aria) => html`<input ...${aria} maxlength="128" autocomplete="off" value=${choice.reason || ''} onInput=${reason} />`}<//>`;
}

export function pause(shown) {
  confirm({
    title: 'Pause all calls?',
    touches: ({ choice, choose }) =>
      html`<${Pausing} choice=${choice} choose=${choose} shown=${shown} />`,
    after: 'New calls are still accepted. It survives restarts.',
    ready: true,
    yes: 'Pause',
    no: 'Keep calling',
    run: do_pause,
  });
}

export function resume(shown) {
  confirm({
    title: 'Let calls go out again?',
    touches: `${many(shown.stats.waiting, 'waiting call')} will be dialed, the most urgent first${shown.rateLimit ? `, at most ${count(shown.rateLimit.max)} in ${shown.rateLimit.windowMs / 1000} s` : ', without a limit'}.`,
    after:
      shown.pausedBy === 'system'
        ? `It paused itself: ${shown.pauseReason}`
        : `Paused by ${shown.pausedBy}, ${moment(shown.pausedAt)}.`,
    yes: 'Resume',
    run: do_resume,
  });
}

/** The same call once more, as when it was asked for. */
async function put_back(job) {
  const late = job.scheduledFor && new Date(job.scheduledFor) > now();
  const same = body_of(job.data);
  const body = late ? { ...same, scheduleAt: job.scheduledFor } : same;
  const answer = await post(`api/queue/${late ? 'schedule-delayed-call' : 'schedule-call'}`, body, {
    'Idempotency-Key': fresh_key(),
  });
  await done(`Put back as call ${answer.jobId}.`, {
    link: { href: `#/call/${answer.jobId}`, label: 'Look' },
  });
}

export function cancel(job, then) {
  confirm({
    title: `Cancel call ${job.jobId}?`,
    touches: `The call to ${masked(job.data.to)} is taken out of the queue and never placed.`,
    after: 'Undo puts the same call back under a new id, at the end of its priority.',
    yes: 'Cancel the call',
    no: 'Keep it',
    danger: true,
    run: async () => {
      await call('DELETE', job_path(job.jobId));
      await done(`Call ${job.jobId} is cancelled.`, {
        undo: { run: () => put_back(job) },
        topic: job.jobId,
      });
      if (then) then();
    },
  });
}

export function hang_up(job) {
  confirm({
    title: `Hang up call ${job.jobId}?`,
    touches: `The call to ${masked(job.data.to)} is on the line (${outcome(job.call).name.toLowerCase()}). Twilio ends it: the phone stops ringing, or the person who answered is cut off.`,
    after: 'It counts as placed, and is not tried again. This cannot be undone.',
    yes: 'Hang up',
    no: 'Let it go on',
    danger: true,
    run: async () => {
      await post(`${job_path(job.jobId)}/hangup`);
      await done(`Call ${job.jobId} is being hung up.`);
    },
  });
}

export function remove(job, then) {
  confirm({
    title: `Remove call ${job.jobId} from history?`,
    touches: `Its record leaves the queue's lists. The call log keeps what it knows of it.${is_on_the_line(job) ? ' It is on the line, and Twilio ends it.' : ''}`,
    after: 'This cannot be undone.',
    yes: 'Remove',
    danger: true,
    run: async () => {
      await call('DELETE', job_path(job.jobId));
      await done(`Call ${job.jobId} was removed.`);
      if (then) then();
    },
  });
}

export function retry(job) {
  confirm({
    title: `Try call ${job.jobId} again?`,
    touches: `The phone ${masked(job.data.to)} will ring when its turn comes, with a full set of attempts. It failed: ${job.failedReason || 'no reason is known.'}`,
    after: 'Until it is dialed, Cancel takes it out of the queue.',
    yes: 'Try again',
    run: async () => {
      await post(`${job_path(job.jobId)}/retry`);
      await done(`Call ${job.jobId} waits again.`);
    },
  });
}

const AT_ONCE = 1000;
/** Twilio's errors for numbers that cannot be called, today or tomorrow. */
const HOPELESS = ['twilio-21211', 'twilio-21214', 'twilio-21217', 'twilio-21421'];

export function retry_all(reason, then) {
  confirm({
    title: `Try ${many(reason.count, 'failed call')} again?`,
    touches: HOPELESS.includes(reason.kind)
      ? `Retrying will not help: ${reason.example} Correct or remove these numbers instead.`
      : `All of them failed alike: ${reason.example} Each phone will ring when its turn comes.`,
    after: 'While they wait, each can still be cancelled, or the queue paused.',
    yes: `Try ${count(reason.count)} again`,
    run: async () => {
      let [total, more] = [0, true];
      while (more && total < reason.count) {
        const answer = await post('api/queue/retry-failed', {
          reason: reason.kind,
          limit: Math.min(AT_ONCE, reason.count - total),
        });
        total += answer.count;
        more = answer.more && answer.count > 0;
      }
      await done(`${many(total, 'call')} ${total === 1 ? 'waits' : 'wait'} again.`);
      if (then) then();
    },
  });
}

const AGES = [
  ['3600000', 'an hour'],
  ['86400000', 'a day'],
  ['604800000', 'a week'],
  ['0', 'any age'],
];

function Cleaning({ choice, choose }) {
  const grace = choice.grace || '3600000';
  const [found, set] = useState(null);
  // Before anybody can choose another age: later it would undo that.
  useLayoutEffect(() => {
    set(null);
    choose((old) => ({ ...old, grace, blocked: true }));
    attempt(() => post('api/queue/clean/preview', { grace: Number(grace), limit: 1_000_000 })).then(
      (answer) => {
        if (!answer) return;
        set(answer);
        choose((old) =>
          old.grace === grace ? { grace, total: answer.total, blocked: answer.total === 0 } : old,
        );
      },
    );
  }, [grace]);
  return html`<${Choice} name="age" label="Older than" options=${AGES} value=${grace} set=${(next) => choose({ grace: next, blocked: true })} />
    <p role="status">${found ? `${many(found.completed, 'completed call')} and ${count(found.failed)} failed ${found.failed === 1 ? 'one' : 'ones'} will be removed from the queue's lists.` : 'Counting …'}</p>`;
}

export function clean() {
  confirm({
    title: 'Delete finished calls?',
    touches: Cleaning,
    after:
      'Waiting, scheduled and active calls are never touched. The call log keeps what it knows. This cannot be undone.',
    yes: 'Delete them',
    danger: true,
    run: async ({ grace, total }) => {
      const answer = await post('api/queue/clean', {
        grace: Number(grace),
        limit: Math.max(total, 1),
      });
      await done(`${many(answer.total, 'call')} removed from history.`);
    },
  });
}

// ---- Recurring calls ---------------------------------------------------------------------

async function set_recurring(id, verb) {
  await post(`${job_path(id)}/${verb}`);
  const other = verb === 'pause' ? 'resume' : 'pause';
  await done(`${id} is ${verb === 'pause' ? 'paused' : 'running'}.`, {
    topic: id,
    undo: { run: () => set_recurring(id, other) },
  });
}

export function pause_recurring(job) {
  confirm({
    title: `Pause ${job.jobId}?`,
    touches: `“${job.description || job.cronExpression}” to ${masked(job.data.to)} rings no more until it is resumed. Runs that fall into the pause are not made up for.`,
    yes: 'Pause it',
    run: () => set_recurring(job.jobId, 'pause'),
  });
}

export function resume_recurring(job) {
  confirm({
    title: `Resume ${job.jobId}?`,
    touches: `“${job.description || job.cronExpression}” to ${masked(job.data.to)} rings again from its next run on.`,
    yes: 'Resume it',
    run: () => set_recurring(job.jobId, 'resume'),
  });
}

async function make_again(job) {
  const { data, cronExpression, timezone, startAt, endAt, graceMs, overlap } = job;
  // The new one begins to count at zero: it has the runs that were left.
  const maxRuns = job.maxRuns && Math.max(1, job.maxRuns - job.firedRuns.count);
  const answer = await post('api/queue/schedule-recurring-call', {
    ...body_of(data),
    cronExpression,
    timezone,
    personTimezone: data.timezone,
    startAt,
    endAt,
    maxRuns,
    graceMs,
    overlap,
  });
  if (job.status === 'paused') await post(`${job_path(answer.jobId)}/pause`);
  await done(`Made again as ${answer.jobId}.`, {
    link: { href: `#/recurring/${answer.jobId.split(':')[1]}`, label: 'Look' },
  });
}

export function stop_recurring(job, then) {
  const over = job.status === 'ended';
  confirm({
    title: `Stop ${job.jobId} for good?`,
    touches: `“${job.description || job.cronExpression}” to ${masked(job.data.to)} rings no more, and a run of it that has not started is cancelled.`,
    after: over
      ? 'It has come to its end already.'
      : 'Undo makes the same schedule again, under a new id and with its counts at zero.',
    yes: 'Stop it',
    no: 'Keep it',
    danger: true,
    run: async () => {
      await call('DELETE', job_path(job.jobId));
      await done(`${job.jobId} is stopped.`, {
        undo: over ? undefined : { run: () => make_again(job) },
      });
      if (then) then();
    },
  });
}

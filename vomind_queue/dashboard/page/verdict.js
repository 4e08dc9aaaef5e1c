// Whether calls go out, in the words of the page's headline.

const LOOKS = {
  calling: { icon: 'phone-call', tone: 'green', word: 'Calling', title: 'Calls are going out' },
  idle: {
    icon: 'circle-check',
    tone: 'green',
    word: 'Idle',
    title: 'Ready: no call is waiting',
  },
  held: { icon: 'timer', tone: 'amber', word: 'At the limit', title: 'At the rate limit' },
  unanswered: {
    icon: 'triangle-alert',
    tone: 'amber',
    word: 'No answer',
    title: 'Twilio is not answering',
  },
  paused: { icon: 'pause', tone: 'amber', word: 'Paused', title: 'Paused' },
  stuck: { icon: 'triangle-alert', tone: 'red', word: 'Stuck', title: 'Stuck' },
  away: { icon: 'phone-off', tone: 'red', word: 'Away', title: 'The queue cannot be reached' },
};
/** States whose first reason is the headline. */
export const HEADED = ['paused', 'stuck', 'unanswered'];
const NAMELESS = 'Paused by someone without a key name';

/** The verdict of the moment: `{state, word, title, icon, tone, reason}`. */
export function verdict({ shown, error }) {
  if (error) return { ...LOOKS.away, state: 'away' };
  const [reason] = shown.reasons;
  const said = HEADED.includes(shown.state) && reason ? { title: reason.title, reason } : {};
  if (shown.state === 'paused' && shown.pausedBy === 'API') said.title = NAMELESS;
  return { ...LOOKS[shown.state], state: shown.state, ...said };
}

import Bowser from 'bowser';

/** A browser or program in plain words, of what it calls itself: "Firefox on Linux". It may be a lie: only to recognise one's own by. */
export function deviceName(user_agent: string | null): string {
  if (!user_agent) return 'An unnamed program';
  const { browser, os, platform } = Bowser.parse(user_agent);
  const machine = platform.vendor === 'Apple' && platform.model ? platform.model : os.name;
  if (!browser.name) return `A program called “${user_agent.slice(0, 40)}”`;
  return machine ? `${browser.name} on ${machine}` : browser.name;
}

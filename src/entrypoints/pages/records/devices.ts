import Bowser from 'bowser';
import { type Catalogue, en } from '../languages/en.ts';

/**
 * A browser or program in plain words, by its User-Agent: "Firefox on Linux", "curl/8.5.0". Anyone can send
 * any: it helps users recognize their own devices and proves nothing.
 */
export function deviceName(user_agent: string | null, { common }: Catalogue = en): string {
  if (!user_agent) return common.unknownDevice;
  const { browser, os, platform } = Bowser.parse(user_agent);
  const machine = platform.vendor === 'Apple' && platform.model ? platform.model : os.name;
  if (!browser.name) return user_agent.slice(0, 40);
  return machine ? common.browserOn({ browser: browser.name, system: machine }) : browser.name;
}

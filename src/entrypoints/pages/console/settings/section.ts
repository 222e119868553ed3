import type { ConsoleSection } from '../section.ts';
import { settingsActions } from './actions.ts';
import { showSettings } from './page.ts';

export const settings: ConsoleSection = {
  section: 'settings',
  label: 'Settings',
  group: 'Server',
  icon: 'cog',
  permission: 'latchkey:settings:read',
  main: { page: showSettings },
  actions: settingsActions,
};

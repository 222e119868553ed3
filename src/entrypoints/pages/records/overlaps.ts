/** For how long the previous version is accepted beside the new one, in seconds. */
export const overlaps = [
  { value: '0', text: 'None: the previous one is refused now' },
  { value: '3600', text: '1 hour' },
  { value: '86400', text: '1 day' },
  { value: '604800', text: '7 days' },
  { value: '2592000', text: '30 days' },
];

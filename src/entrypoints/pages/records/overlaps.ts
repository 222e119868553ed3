/** For how long what is replaced may work beside what replaces it, in seconds. */
export const overlaps = [
  { value: '0', text: 'none: what is there ends now' },
  { value: '3600', text: '1 hour' },
  { value: '86400', text: '1 day' },
  { value: '604800', text: '7 days' },
  { value: '2592000', text: '30 days' },
];

/** Sends `user_code` with `xsrf`. */
type DeviceEnterPage = { action: string; xsrf: string; user_code: string; error?: string | undefined };

/** Sends `user_code` and `xsrf` with `confirm` or `abort`. */
type DeviceConfirmPage = { action: string; xsrf: string; user_code: string; client_name: string };

/** `address` is what a user types on another device. */
type DeviceShowPage = { user_code: string; qr_path: string; address: string };

/** The pages of the device flow (RFC 8628), and the data of each. */
export type DevicePages = {
  'device-enter': DeviceEnterPage;
  'device-confirm': DeviceConfirmPage;
  'device-ready': { client_name?: string | undefined };
  'device-show': DeviceShowPage;
};

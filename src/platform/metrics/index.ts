/** Metrics: counters and measurements for Prometheus, on a listener of their own. */
export { type MetricsListener, openMetricsListener } from './listener.ts';
export { Metrics, type TokenVerdict } from './metrics.ts';
export { measureRequests } from './requests.ts';

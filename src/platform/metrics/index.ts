/** Metrics: what is counted and measured, for Prometheus, on a listener of its own. */
export { type MetricsListener, openMetricsListener } from './listener.ts';
export { Metrics, type TokenVerdict } from './metrics.ts';
export { measureRequests } from './requests.ts';

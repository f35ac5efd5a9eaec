export { type AppOptions, createApp } from './app.ts';
export { type FeatureServer, startServer } from './listen.ts';
export { metricsOfWorkers } from './metrics.ts';
export { type TokenCheck, watchTokens } from './token.ts';
export type { View, ViewFeature } from './view.ts';

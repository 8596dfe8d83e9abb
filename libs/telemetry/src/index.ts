export { type ConfigFault, describeConfig, parseConfig } from './config.ts';
export { LOG_LEVELS, type LogLevel, type Logger, type LoggerOptions, createLogger } from './logger.ts';
export { type Metrics, createMetrics } from './metrics.ts';
export { NestLogger } from './nest-logger.ts';
export { type OperationsServer, type OperationsServerOptions, startOperationsServer } from './operations-server.ts';
export { type CheckStatus, type Readiness, type ReadinessCheck, evaluateReadiness, readinessCode } from './readiness.ts';
export { REDACTED, isSecretKey, redactText, redactValue } from './redact.ts';
export { setting } from './settings.ts';

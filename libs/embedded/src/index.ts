export { watchOver, type Watchdog } from './watchdog.ts';

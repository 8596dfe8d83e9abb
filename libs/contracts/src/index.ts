export * from './messages.ts';
export * from './channels.ts';

export { folderStore } from './node/folder-store.ts';
export { REPORT, reported, type ReportOptions } from './node/report.ts';

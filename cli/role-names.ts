/** The roles that a process of a cluster can run. */
export const roleNames = ['ingest', 'pipeline', 'alerts', 'dashboards'] as const
export type RoleName = (typeof roleNames)[number]

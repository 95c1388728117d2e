/** ClickHouse writes DateTime64(3, 'UTC') as '2020-06-26 13:07:21.000'; events carry RFC 3339. */

export const epochMs = (clickhouse: string): number =>
  Date.parse(`${clickhouse.replace(' ', 'T')}Z`)

export const isoTime = (clickhouse: string): string => new Date(epochMs(clickhouse)).toISOString()

export const toClickHouse = (ms: number): string =>
  new Date(ms).toISOString().replace('T', ' ').replace('Z', '')

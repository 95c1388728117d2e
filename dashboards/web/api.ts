/** The API as the page uses it. */
import type { AlertList } from '../../alerts/contract.ts'
import type { Feed, InstrumentSeries, Overview, Range, Status, Topics } from '../contract.ts'

const timeoutMs = 10_000

async function get<Answer>(path: string): Promise<Answer> {
  const response = await fetch(path, { signal: AbortSignal.timeout(timeoutMs) })
  if (!response.ok) throw new Error(`${path} answered ${response.status}`)
  return response.json()
}

export const getOverview = (range: Range): Promise<Overview> => get(`/api/overview?range=${range}`)
export const getTopics = (range: Range): Promise<Topics> => get(`/api/topics?range=${range}`)
export const getStatus = (): Promise<Status> => get('/api/status')
export const getPosts = (limit: number): Promise<Feed> => get(`/api/posts?limit=${limit}`)
export const getAlerts = (): Promise<AlertList> => get('/api/alerts')
export const getSeries = (instrument: string, range: Range): Promise<InstrumentSeries> =>
  get(`/api/instruments/${encodeURIComponent(instrument)}/series?range=${range}`)

/** What live sources take from the configuration and the environment. */
import { type Config, environmentVariable } from '../infra/config.ts'
import type { LiveSources } from '../ingest/sources/sources.ts'
import { version } from './version.ts'

export function liveSourcesOf({
  sources,
  fetching,
  dataDir,
}: Config): Omit<LiveSources, 'registry'> {
  return { configs: sources, fetching, dataDir, version, secret: environmentVariable }
}

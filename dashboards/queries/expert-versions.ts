/** Which experts judge now, by name: those of the newest posts of each partition, whichever processes judged them. */
import type { Store } from '../../infra/store/store.ts'

/** Offsets of a partition that are looked at: among them is a scored one, as a rule. */
const newest = 20

const sql = `
SELECT name, argMax(version, scored_at) AS version
FROM (
  SELECT \`experts.name\` AS names, \`experts.version\` AS versions, scored_at
  FROM analyses
  WHERE log_topic = {logTopic:String} AND outcome = 'scored' AND ordinal = 0 AND (partition, offset) IN (
    SELECT partition, arrayJoin(range(greatest(0, mark - ${newest - 1}), mark + 1))
    FROM (SELECT partition, max(offset) AS mark FROM analyses WHERE log_topic = {logTopic:String} GROUP BY partition)
  )
)
ARRAY JOIN names AS name, versions AS version
GROUP BY name
ORDER BY name`

export async function readExpertVersions(
  store: Pick<Store, 'query'>,
  logTopic: string,
): Promise<Readonly<Record<string, string>>> {
  const rows = await store.query<{ name: string; version: string }>(sql, { logTopic })
  return Object.fromEntries(rows.map(({ name, version }) => [name, version]))
}

/** The row that says how a post was judged. */
import type { Store } from '../../infra/store/store.ts'
import type { AnalysisRow } from '../contract.ts'

/** In the revision that is in force; 0: as it was judged live. */
export type ServedRow = AnalysisRow & { readonly revision: number }

/** A repeat has no judgement of its own: its version's row has it. Undefined where the table has no such post. */
export async function findJudgedRow(
  store: Pick<Store, 'query'>,
  postId: string,
  version?: number,
): Promise<ServedRow | undefined> {
  const [row] = await store.query<ServedRow>(
    `SELECT * FROM served_v
     WHERE post_id = {postId:String} AND ordinal = 0 AND outcome != 'duplicate'
       AND (version = {version:Int64} OR {version:Int64} < 0)
     ORDER BY version DESC, appended_at DESC, log_topic DESC, partition DESC, offset DESC
     LIMIT 1`,
    { postId, version: version ?? -1 },
  )
  return row
}

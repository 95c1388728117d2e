/**
 * Tells a repeated post from a new version of it. The same id with the same content within 30 days is a duplicate; with another
 * content, or later, it is the next version. What the table holds up to the mark, and the posts before it in the same batch, decide:
 * so a replay of the same offsets gives the same answer.
 */
import { createHash } from 'node:crypto'
import type { PartitionId, Store } from '../infra/store/store.ts'
import type { Post } from '../ingest/contract.ts'

const duplicateWindowMs = 30 * 24 * 60 * 60_000
/** Ids travel as a bound parameter, which a server limits to about 1 MiB. */
const idsPerQuery = 500

/** What is known of the newest version of an id. */
export interface Known {
  readonly version: number
  readonly contentHash: string
  readonly appendedAtMs: number
}

export type Versioned = { readonly duplicate: boolean; readonly version: number }

/** 16 hex digits of SHA-256 over what makes a version: text, title and status. */
export function contentHash(post: Post): string {
  const content = JSON.stringify([post.text, post.title ?? '', post.status ?? 'original'])
  return createHash('sha256').update(content).digest('hex').slice(0, 16)
}

export function nextVersion(known: Known | undefined, post: Known): Versioned {
  if (known === undefined) return { duplicate: false, version: 1 }
  const duplicate =
    known.contentHash === post.contentHash &&
    post.appendedAtMs - known.appendedAtMs <= duplicateWindowMs
  return { duplicate, version: duplicate ? known.version : known.version + 1 }
}

/** The newest version of each id that the table holds: of this partition up to `mark`, and of earlier epochs of the log. */
export async function knownVersions(
  store: Store,
  partition: PartitionId,
  mark: number,
  ids: readonly string[],
): Promise<Map<string, Known>> {
  const known = new Map<string, Known>()
  for (let start = 0; start < ids.length; start += idsPerQuery) {
    const rows = await store.query<{
      post_id: string
      version: number
      content_hash: string
      appended_at_ms: number
    }>(
      `SELECT post_id, max(version) AS version,
         argMax(content_hash, (analyses.version, appended_at)) AS content_hash,
         toUnixTimestamp64Milli(max(appended_at)) AS appended_at_ms
       FROM analyses
       WHERE post_id IN {ids:Array(String)} AND ordinal = 0 AND outcome IN ('scored', 'unsupported')
         AND (log_topic != {logTopic:String} OR (partition = {partition:UInt32} AND offset <= {mark:Int64}))
       GROUP BY post_id`,
      { ids: ids.slice(start, start + idsPerQuery), ...partition, mark },
      { lane: 'writer' },
    )
    for (const row of rows) {
      known.set(row.post_id, {
        version: row.version,
        contentHash: row.content_hash,
        appendedAtMs: row.appended_at_ms,
      })
    }
  }
  return known
}

/** Decides each post in order; `known` is updated, so a repeat within the batch is recognised too. */
export function decideVersions(
  posts: readonly { readonly post: Post; readonly appendedAtMs: number }[],
  known: Map<string, Known>,
): Versioned[] {
  return posts.map(({ post, appendedAtMs }) => {
    const hash = contentHash(post)
    const decided = nextVersion(known.get(post.id), { version: 0, contentHash: hash, appendedAtMs })
    if (!decided.duplicate)
      known.set(post.id, { version: decided.version, contentHash: hash, appendedAtMs })
    return decided
  })
}

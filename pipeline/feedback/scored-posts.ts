/** Posts of the table, as labels ask for them: the newest scored version of an id, or the version asked for. */
import type { Store } from '../../infra/store/store.ts'
import type { AnalysisRow } from '../contract.ts'
import { type Label, type Refused, refuse } from './label.ts'

const columns = [
  'log_topic',
  'partition',
  'offset',
  'post_id',
  'version',
  'source',
  'kind',
  'title',
  'text',
  'language',
  'topic_probabilities',
  'negative',
  'neutral',
  'positive',
  'experts.name',
  'experts.version',
  'experts.task',
  'experts.probabilities',
  'experts.ran',
  'experts.shadow',
  'strategy',
  'label_draw',
  'label_probability',
] as const satisfies readonly (keyof AnalysisRow)[]

export type ScoredPost = Pick<AnalysisRow, (typeof columns)[number]>

export type Wanted = Pick<Label, 'postId' | 'version'>

/** Undefined: the table knows no such post. */
export type Found = ScoredPost | Refused | undefined

type Place = Pick<AnalysisRow, 'log_topic' | 'partition' | 'offset'>

type Trace = Place & Pick<AnalysisRow, 'post_id' | 'version' | 'outcome' | 'reason'>

export function placeOf({ log_topic, partition, offset }: Place): string {
  return `${log_topic}/${partition}/${offset}`
}

/** In the order of `wanted`; a few hundred at most, as their ids travel with the statement. */
export async function findPosts(store: Store, wanted: readonly Wanted[]): Promise<Found[]> {
  const traces = await tracesOf(store, [...new Set(wanted.map(({ postId }) => postId))])
  const chosen = wanted.map((post) => choose(traces.get(post.postId) ?? [], post))
  const places = chosen.flatMap((trace) => (trace === undefined || 'verdict' in trace ? [] : trace))
  const rows = await rowsAt(store, places)
  return chosen.map((trace) => {
    if (trace === undefined || 'verdict' in trace) return trace
    const row = rows.get(placeOf(trace))
    if (row === undefined) return undefined
    return row.text === '' ? refuse('erased', 'the text of the post was erased') : row
  })
}

/** By post id, newest first: the newest row of each version and outcome. Without the texts, which may be many. */
async function tracesOf(
  store: Store,
  ids: readonly string[],
): Promise<ReadonlyMap<string, readonly Trace[]>> {
  const traces = await store.query<Trace>(
    `SELECT post_id, version, outcome, reason, log_topic, partition, offset FROM analyses
     WHERE post_id IN {ids:Array(String)} AND ordinal = 0
     ORDER BY appended_at DESC, version DESC, offset DESC LIMIT 1 BY post_id, version, outcome`,
    { ids },
  )
  const byId = new Map<string, Trace[]>()
  for (const trace of traces) byId.set(trace.post_id, [...(byId.get(trace.post_id) ?? []), trace])
  return byId
}

function choose(traces: readonly Trace[], { version }: Wanted): Trace | Refused | undefined {
  const asked = traces.filter((trace) => version === undefined || trace.version === version)
  const scored = asked.find(({ outcome }) => outcome === 'scored')
  if (scored !== undefined) return scored
  const [newest] = asked
  if (newest !== undefined) return withoutResult(newest)
  if (traces.length === 0) return undefined
  return refuse('unknown-version', 'the post has no such version')
}

function withoutResult({ outcome, reason }: Trace): Refused | undefined {
  switch (outcome) {
    case 'dead':
      return refuse('dead', `the post was refused: ${reason}`)
    case 'unsupported':
      return refuse('unsupported', `the post was not judged: ${reason}`)
    case 'duplicate':
      return refuse('duplicate', 'the post repeats one that is not there any more')
    default:
      return undefined
  }
}

async function rowsAt(
  store: Store,
  places: readonly Place[],
): Promise<ReadonlyMap<string, ScoredPost>> {
  if (places.length === 0) return new Map()
  // The key is compared column by column, as values travel in plain lists; the few rows too many are left in the map.
  const rows = await store.query<ScoredPost>(
    `SELECT ${columns.map((column) => `\`${column}\``).join(', ')} FROM analyses
     WHERE log_topic IN {logTopics:Array(String)} AND partition IN {partitions:Array(UInt32)} AND offset IN {offsets:Array(Int64)}
       AND ordinal = 0 AND outcome = 'scored'`,
    {
      logTopics: [...new Set(places.map(({ log_topic }) => log_topic))],
      partitions: [...new Set(places.map(({ partition }) => partition))],
      offsets: [...new Set(places.map(({ offset }) => offset))],
    },
  )
  return new Map(rows.map((row) => [placeOf(row), row]))
}

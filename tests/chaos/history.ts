/**
 * The history checker: what was sent to the log against what the table holds. It knows nothing of the product's own checks, nor of how
 * the product reads its table: only the producer's notes, the rows as they lie there, and the dead letters.
 */

/** What a record must become. */
export type Fate =
  /** Scored, unsupported, or a duplicate of one that is. */
  | 'post'
  /** A dead row and a letter. */
  | 'poison'

/** One record that the producer sent. */
export interface Sent {
  /** Of the post; '' for poison that has none. */
  readonly id: string
  readonly fate: Fate
  /** Where the log said it is; undefined when the answer never came: then it may be there once, or not. */
  readonly at: Place | undefined
  /** What tells one text of an id from another. */
  readonly content: string
}

export interface Place {
  readonly partition: number
  readonly offset: number
}

/** A row of `analyses`, with whatever other columns. */
export interface StoredRow extends Place {
  readonly ordinal: number
  readonly gap_from: number
  readonly block_start: number
  readonly outcome: string
  readonly post_id: string
  readonly version: number
  readonly appended_at: string
  readonly [column: string]: unknown
}

export interface History {
  readonly logTopic: string
  readonly sent: readonly Sent[]
  /** End offset by partition: every offset below it must be stored. */
  readonly ends: readonly number[]
  readonly rows: readonly StoredRow[]
  /** The origins of all dead letters: 'topic@epoch/partition/offset'. Repeats are allowed. */
  readonly letters: readonly string[]
  /** The rows that a run without faults leaves of the same log; undefined: not compared. */
  readonly quiet?: readonly StoredRow[] | undefined
}

/** Each kind of fault, by the sum of the last line that it adds to. */
export const countedAs = {
  /** An acknowledged record has no row of its post. */
  lost: 'lost',
  /** At an acknowledged place stands another post. */
  misplaced: 'lost',
  /** A dead row, or acknowledged poison, without its letter. */
  'letter-missing': 'lost',
  /** The row is another than in a quiet run. */
  different: 'lost',
  /** The same offset and ordinal twice. */
  doubled: 'doubled',
  /** The same text of a post scored more often than it was new. */
  'scored-twice': 'doubled',
  /** A post nobody sent. */
  unknown: 'doubled',
  /** An offset below the log's end without a row. */
  gap: 'gaps',
  /** A block that does not start where the last one ended. */
  'block-start': 'gaps',
  /** The mentions of an offset are not 1..n. */
  ordinals: 'gaps',
  /** appended_at goes back in a partition. */
  'time-back': 'gaps',
} as const
export type FindingKind = keyof typeof countedAs

export interface Finding extends Place {
  readonly kind: FindingKind
  readonly detail: string
}

export function checkHistory(history: History): Finding[] {
  const rows = history.rows.toSorted(
    (a, b) => a.partition - b.partition || a.offset - b.offset || a.ordinal - b.ordinal,
  )
  const ordered = { ...history, rows }
  return [
    ...eachSentIsStored(ordered),
    ...eachDeadRowHasItsLetter(ordered),
    ...nothingTwice(ordered),
    ...noTextScoredTwice(ordered),
    ...nothingUnsent(ordered),
    ...everyOffsetCovered(ordered),
    ...blocksMeet(ordered),
    ...mentionsWithoutHoles(ordered),
    ...timeGoesOn(ordered),
    ...asInAQuietRun(ordered),
  ]
}

type Check = (history: History) => Finding[]

const placeOf = ({ partition, offset }: Place): string => `${partition}/${offset}`

const finding = (kind: FindingKind, { partition, offset }: Place, detail: string): Finding => ({
  kind,
  partition,
  offset,
  detail,
})

const postRows = (rows: readonly StoredRow[]): StoredRow[] =>
  rows.filter(({ ordinal, outcome }) => ordinal === 0 && outcome !== 'gap')

const isVersion = ({ outcome }: StoredRow): boolean =>
  outcome === 'scored' || outcome === 'unsupported'

const eachSentIsStored: Check = ({ sent, rows }) => {
  const byPlace = new Map(postRows(rows).map((row) => [placeOf(row), row]))
  const versions = new Set(
    postRows(rows)
      .filter(isVersion)
      .map((row) => row.post_id),
  )
  return sent.flatMap(({ id, fate, at }) => {
    if (at === undefined) return []
    const row = byPlace.get(placeOf(at))
    if (row === undefined) return [finding('lost', at, `'${id}' was acknowledged`)]
    if (row.post_id !== id) return [finding('misplaced', at, `'${row.post_id}' for '${id}'`)]
    if ((row.outcome === 'dead') !== (fate === 'poison'))
      return [finding('misplaced', at, `'${id}', sent as ${fate}, is ${row.outcome}`)]
    if (fate === 'post' && !versions.has(id))
      return [finding('lost', at, `'${id}' is only ever ${row.outcome}`)]
    return []
  })
}

const eachDeadRowHasItsLetter: Check = ({ logTopic, sent, rows, letters }) => {
  const found = new Set(letters)
  const poison = sent.flatMap(({ fate, at }) => (fate === 'poison' && at ? [at] : []))
  const dead = rows.filter(({ outcome }) => outcome === 'dead')
  const places = new Map([...poison, ...dead].map((place) => [placeOf(place), place]))
  return [...places].flatMap(([name, place]) =>
    found.has(`${logTopic}/${name}`)
      ? []
      : [finding('letter-missing', place, 'no letter names it')],
  )
}

const nothingTwice: Check = ({ rows }) =>
  rows.flatMap((row, at) => {
    const last = rows[at - 1]
    const isSame =
      last !== undefined && placeOf(last) === placeOf(row) && last.ordinal === row.ordinal
    return isSame ? [finding('doubled', row, `ordinal ${row.ordinal}`)] : []
  })

/** A post that was only ever sent with one text has one version; every other version needs a record that changed the text. */
const noTextScoredTwice: Check = ({ sent, rows }) => {
  const contents = grouped(sent, ({ id }) => id)
  const versions = grouped(postRows(rows).filter(isVersion), (row) => row.post_id)
  return [...versions].flatMap(([id, scored]) => {
    const sends = contents.get(id) ?? []
    const texts = new Set(sends.map(({ content }) => content)).size
    const allowed = texts === 1 ? 1 : sends.length
    const places = new Set(scored.map(placeOf)).size
    const numbers = new Set(scored.map(({ version }) => version)).size
    const first = scored[0]
    if (first === undefined || sends.length === 0) return []
    if (places <= allowed && numbers === places) return []
    return [finding('scored-twice', first, `'${id}': ${places} rows, ${numbers} versions`)]
  })
}

const nothingUnsent: Check = ({ sent, rows }) => {
  const ids = new Set(sent.map(({ id }) => id))
  return postRows(rows).flatMap((row) =>
    row.post_id === '' || ids.has(row.post_id)
      ? []
      : [finding('unknown', row, `'${row.post_id}' was never sent`)],
  )
}

const everyOffsetCovered: Check = ({ ends, rows }) =>
  ends.flatMap((end, partition) => {
    const found: Finding[] = []
    let next = 0
    for (const row of rows.filter((each) => each.partition === partition)) {
      if (row.gap_from > next)
        found.push(finding('gap', { partition, offset: next }, `up to ${row.gap_from - 1}`))
      next = Math.max(next, row.offset + 1)
    }
    if (next < end) found.push(finding('gap', { partition, offset: next }, `up to ${end - 1}`))
    if (next > end) found.push(finding('gap', { partition, offset: end }, `the log ends at ${end}`))
    return found
  })

const blocksMeet: Check = ({ rows }) =>
  [...grouped(rows, ({ partition }) => partition).values()].flatMap((stored) => {
    const found: Finding[] = []
    let start = -1
    let next = 0
    for (const row of stored) {
      if (row.block_start !== start) {
        if (row.block_start !== next || row.gap_from !== next)
          found.push(
            finding('block-start', row, `${row.block_start} (${row.gap_from}) instead of ${next}`),
          )
        start = row.block_start
      }
      next = row.offset + 1
    }
    return found
  })

const mentionsWithoutHoles: Check = ({ rows }) =>
  [...grouped(rows, placeOf).values()].flatMap((stored) => {
    const ordinals = [...new Set(stored.map(({ ordinal }) => ordinal))]
    const [first] = stored
    if (first === undefined || ordinals.every((ordinal, at) => ordinal === at)) return []
    return [finding('ordinals', first, ordinals.join(', '))]
  })

const timeGoesOn: Check = ({ rows }) =>
  rows.flatMap((row, at) => {
    const last = rows[at - 1]
    const isBack = last?.partition === row.partition && row.appended_at < last.appended_at
    return isBack ? [finding('time-back', row, `${row.appended_at} after ${last.appended_at}`)] : []
  })

/** Columns that may differ: when and in which block a row was stored, and what judging cost. */
const ofTheRun = new Set(['block_start', 'scored_at', 'experts.cost_ms'])

const asInAQuietRun: Check = ({ rows, quiet }) => {
  if (quiet === undefined) return []
  const expected = new Map(
    quiet.filter(isNoGap).map((row) => [`${placeOf(row)}/${row.ordinal}`, row]),
  )
  const found = rows.filter(isNoGap).flatMap((row) => {
    const key = `${placeOf(row)}/${row.ordinal}`
    const other = expected.get(key)
    expected.delete(key)
    if (other === undefined) return [finding('different', row, 'a quiet run has no such row')]
    const columns = Object.keys(row).filter(
      (column) =>
        !ofTheRun.has(column) && JSON.stringify(row[column]) !== JSON.stringify(other[column]),
    )
    return columns.length === 0 ? [] : [finding('different', row, columns.join(', '))]
  })
  const missing = [...expected.values()].map((row) =>
    finding('different', row, `only a quiet run has ordinal ${row.ordinal}`),
  )
  return [...found, ...missing]
}

/** How wide a gap row is depends on the batches. */
const isNoGap = ({ outcome }: StoredRow): boolean => outcome !== 'gap'

function grouped<T, K>(all: readonly T[], keyOf: (each: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>()
  for (const each of all) {
    const key = keyOf(each)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [each])
    else group.push(each)
  }
  return groups
}

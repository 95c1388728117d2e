/** The records of a run: plain posts, repeats, new versions, poison of several kinds, and offsets that hold no post. */
import type { Draw } from './draw.ts'
import type { Fate } from './history.ts'

/** A record before it is sent. */
export interface SentRecord {
  readonly key: string | null
  readonly value: string
  readonly id: string
  /** `control`: a reader never sees it, as with the control records of a transaction. */
  readonly fate: Fate | 'control'
  readonly content: string
}

/** The readers of a run hide records of this value: their offsets hold no post. */
export const controlValue = 'control'
/** An expert of a run calls texts with this word lethal. */
export const lethalWord = 'basilisk'

export interface PostShares {
  readonly repeats: number
  readonly poison: number
  readonly controls: number
}

export function drawRecords(
  draw: Draw,
  run: string,
  count: number,
  shares: PostShares,
): readonly SentRecord[] {
  const records: SentRecord[] = []
  const posts: SentRecord[] = []
  while (records.length < count) {
    const record = nextRecord(draw, `${run}-${records.length}`, posts, shares)
    records.push(record)
    if (record.fate === 'post') posts.push(record)
  }
  return records
}

function nextRecord(
  draw: Draw,
  id: string,
  posts: readonly SentRecord[],
  shares: PostShares,
): SentRecord {
  if (draw.chance(shares.controls))
    return { key: null, value: controlValue, id: '', fate: 'control', content: '' }
  if (draw.chance(shares.poison)) return poison(draw, id)
  if (posts.length > 0 && draw.chance(shares.repeats)) {
    const earlier = draw.oneOf(posts)
    return draw.chance(0.5) ? earlier : post(earlier.id, draw)
  }
  return post(id, draw)
}

const companies = ['$ACME', '$FB', '$TSLA', '$GOOG', '$XOM']
const events = [
  'shares rise after strong quarterly earnings',
  'stock falls on a weak outlook for the year',
  'announces a new product for its customers',
  'is sued by investors over misleading statements',
  'wins a large contract from the government',
]
const endings = ['today', 'again', 'as expected', 'and analysts are surprised']

function post(id: string, draw: Draw): SentRecord {
  const foreign = draw.chance(0.03)
  const text = foreign
    ? `株価は大きく上昇しました ${draw.integer(1, 999)}`
    : `${subjects(draw)} ${draw.oneOf(events)} ${draw.oneOf(endings)}, ${draw.integer(1, 999)} say`
  return recordOf(id, 'post', text, draw)
}

/** One to three companies: as many mentions. */
function subjects(draw: Draw): string {
  const first = draw.integer(0, companies.length - 1)
  const count = draw.integer(1, 3)
  const named = [...companies, ...companies].slice(first, first + count)
  return named.join(' and ')
}

function recordOf(id: string, fate: Fate, text: string, draw: Draw): SentRecord {
  const kind = draw.oneOf(['news', 'comment'])
  const publishedAt = '2020-06-26T10:00:00Z'
  const value = JSON.stringify({ id, source: 'chaos', kind, text, publishedAt })
  return { key: id, value, id, fate, content: text }
}

function poison(draw: Draw, id: string): SentRecord {
  const value = draw.oneOf(['{"id":', '[]', '{"id":"","text":""}', 'lethal', 'late'])
  if (value === 'lethal')
    return recordOf(id, 'poison', `${draw.oneOf(companies)} sees a ${lethalWord} today`, draw)
  const late = JSON.stringify({
    id,
    source: 'chaos',
    kind: 'news',
    text: 'from the far future',
    publishedAt: '2200-01-01T00:00:00Z',
  })
  return {
    key: null,
    value: value === 'late' ? late : value,
    id: '',
    fate: 'poison',
    content: value,
  }
}

/** The source `feed`: RSS, Atom or JSON Feed at an address. */

import type { Clock } from '../../infra/clock.ts'
import type { FeedSource } from '../../infra/config-sources.ts'
import { decodeDocument } from './charset.ts'
import { type FeedReading, readFeed } from './feed-items.ts'
import type { Document, Fetcher } from './http.ts'
import { labelOf, readingTime } from './label.ts'
import { Seen } from './novelty.ts'
import { newestMs, sift } from './sift.ts'
import { type RunContext, type Source, SourceError } from './source.ts'
import type { SourceState } from './state.ts'

export function createFeed(
  config: FeedSource,
  deps: {
    readonly fetcher: Fetcher
    readonly clock: Clock
    headers(): Readonly<Record<string, string>>
  },
): Source {
  const { fetcher, clock, headers } = deps

  /** What the document holds that is new, handed over; resolves with the state to keep. */
  async function read(document: Document, state: SourceState, context: RunContext) {
    const nowMs = clock()
    const text = decodeDocument(document.body, document.contentType)
    const readings = readFeed({ text, url: document.url }, { withoutZone: config.datesWithoutZone })
    if (readings === undefined) throw new SourceError(`${config.name}: the answer is no feed`)
    const guidsRepeat = state.guidsRepeat === true || haveRepeatedIds(readings)
    if (guidsRepeat && state.guidsRepeat !== true)
      context.onOddity('one guid stands for several items: their links tell them apart from now on')
    const items = guidsRepeat ? readings.map(withLinkInId) : readings
    const seen = new Seen(state)
    const time = readingTime(config, { nowMs, state, outageMs: context.outageMs })
    const { rows, counts } = sift(items, { seen, label: labelOf(config), time })
    const { refused } = await context.delivery.deliver(rows, context.signal)
    context.onReading({ ...counts, refused })
    return {
      ...state,
      validators: document.validators,
      seen: seen.toState(),
      guidsRepeat,
      newestMs: newestMs(items, nowMs) ?? state.newestMs,
      lastSuccessMs: nowMs,
    }
  }

  async function run(context: RunContext): Promise<void> {
    const state = await context.load()
    const document = await fetcher.get(config.url, {
      headers: headers(),
      validators: state.validators,
      signal: context.signal,
    })
    if (document !== undefined) return context.save(defined(await read(document, state, context)))
    context.onReading({ fresh: 0, corrected: 0, repeated: 0, refused: 0 })
    await context.save({ ...state, lastSuccessMs: clock() })
  }

  return { schedule: config.schedule, run, preview: run }
}

function defined(state: { [K in keyof SourceState]?: SourceState[K] | undefined }): SourceState {
  return Object.fromEntries(
    Object.entries(state).filter(([, value]) => value !== undefined),
  ) as SourceState
}

function haveRepeatedIds(readings: readonly FeedReading[]): boolean {
  const links = new Map<string, string | undefined>()
  for (const reading of readings) {
    if (!reading.ok) continue
    const { id } = reading.item
    if (links.has(id) && links.get(id) !== reading.link) return true
    links.set(id, reading.link)
  }
  return false
}

function withLinkInId(reading: FeedReading): FeedReading {
  if (!reading.ok || reading.link === undefined) return reading
  return { ...reading, item: { ...reading.item, id: `${reading.item.id} ${reading.link}` } }
}

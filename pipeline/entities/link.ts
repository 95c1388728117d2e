import { findMentions, type Knowledge, resolveTicker, type TextMention } from './find-mentions.ts'
import { loadGazetteer } from './gazetteer.ts'
import type { Linker, Mention } from './mention.ts'
import { createNameFinder } from './name-finder.ts'
import { applyOverrides, readOverrides } from './overrides.ts'
import { relevanceOf } from './relevance.ts'

/** A post that lists more instruments than this is about none of them: the rest is left out. */
export const maxMentions = 50

type Found = Omit<Mention, 'relevance'> & { readonly inTitle: boolean }

/**
 * Reads the gazetteer (about half a second) and the user's overrides, which win over it.
 * Throws AppError CONFIG, naming line and reason, when the overrides cannot be read.
 */
export function createLinker(options: { readonly overridesFile?: string } = {}): Linker {
  const knowledge = loadKnowledge(options)
  return {
    instrument: (id) => knowledge.gazetteer.instruments.get(id),
    link(post, at) {
      const found = distinct(findAll(post, at.getTime(), knowledge))
      return found
        .map(({ inTitle, ...mention }, position) => ({
          ...mention,
          relevance: relevanceOf({ inTitle, position }, found.length),
        }))
        .slice(0, maxMentions)
    },
  }
}

/** What the linker knows, for those who need every mention of a text rather than one an instrument. */
export function loadKnowledge(options: { readonly overridesFile?: string } = {}): Knowledge {
  const gazetteer = applyOverrides(
    loadGazetteer(),
    options.overridesFile === undefined ? [] : readOverrides(options.overridesFile),
  )
  const names = [...gazetteer.names].map(([key, rule]) => ({ key, ...rule }))
  return { gazetteer, names: createNameFinder(names) }
}

/** In the order they are kept in: the text, then what only the title or the post's tickers name. */
function findAll(
  post: { readonly text: string; readonly title?: string; readonly tickers?: readonly string[] },
  at: number,
  knowledge: Knowledge,
): readonly Found[] {
  const fields = tickerMentions(post.tickers ?? [], at, knowledge)
  const support = new Set(fields.map(({ instrument }) => instrument))
  const title = post.title ? findMentions(post.title, at, knowledge, support) : []
  const titled = new Set(title.map(({ instrument }) => instrument))
  for (const instrument of titled) support.add(instrument)
  const text = findMentions(post.text, at, knowledge, support)
  const inTitle = ({ instrument }: TextMention) => ({ inTitle: titled.has(instrument) })
  return [
    ...text.map((mention) => ({ ...mention, ...inTitle(mention) })),
    ...title.map((mention) => ({ ...mention, start: -1, end: -1, inTitle: true })),
    ...fields,
  ]
}

function tickerMentions(
  tickers: readonly string[],
  at: number,
  { gazetteer }: Knowledge,
): readonly Found[] {
  const normal = tickers.map((ticker) =>
    ticker.trim().replace(/^\$/, '').toUpperCase().replace(/[-/]/, '.'),
  )
  const beside = new Set(normal)
  return tickers.flatMap((written, i) => {
    const ticker = normal[i] ?? ''
    if (!/^[A-Z][A-Z0-9._]*$/.test(ticker)) return []
    const instrument = resolveTicker(ticker, at, gazetteer, beside)
    if (instrument === '') return []
    return [{ instrument, written, how: 'ticker-field', start: -1, end: -1, inTitle: false }]
  })
}

function distinct(found: readonly Found[]): readonly Found[] {
  const first = new Map<string, Found>()
  for (const mention of found)
    if (!first.has(mention.instrument)) first.set(mention.instrument, mention)
  return [...first.values()]
}

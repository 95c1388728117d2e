import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from '../../../infra/package-root.ts'
import { findMentions, type Knowledge, type TextMention } from '../find-mentions.ts'

export interface LabelledMention {
  readonly start: number
  readonly end: number
  readonly form: 'cashtag' | 'name' | 'ticker'
  readonly instrument: string
}

export interface LabelledPost {
  readonly id: string
  readonly stream: '2020' | '2014'
  readonly part: 'development' | 'held-out'
  readonly mentions: readonly LabelledMention[]
}

export interface SourcePost {
  readonly id: string
  readonly publishedAt: string
  readonly text: string
}

export interface Figures {
  readonly labelled: number
  /** Without those kept as unresolved where the label knows the instrument: they claim nothing, and count as missed. */
  readonly found: number
  readonly abstained: number
  /** Found mentions that a label of the same instrument overlaps. */
  readonly rightFound: number
  /** Labels that a found mention of the same instrument overlaps. */
  readonly labelledFound: number
}

/** A disagreement between linker and label, for reading. */
export interface Miss {
  readonly post: string
  readonly kind: 'wrong' | 'missed'
  readonly form: string
  readonly written: string
  readonly instrument: string
}

export function readLabels(): readonly LabelledPost[] {
  return readLines(join(packageRoot, 'pipeline/entities/labels/mentions.ndjson'))
}

export function readPosts(file: string): ReadonlyMap<string, SourcePost> {
  return new Map(readLines<SourcePost>(file).map((post) => [post.id, post]))
}

/** Every mention of the linker against every label of the form, in the posts given; labels of absent posts count as missed. */
export function scoreLinking(
  labels: readonly LabelledPost[],
  posts: ReadonlyMap<string, SourcePost>,
  knowledge: Knowledge,
): {
  readonly cashtag: Figures
  readonly name: Figures
  readonly misses: readonly Miss[]
} {
  const misses: Miss[] = []
  const pairs = labels.map((label) => {
    const post = posts.get(label.id)
    const found = post ? findMentions(post.text, Date.parse(post.publishedAt), knowledge) : []
    misses.push(...missesOf(label, found, post?.text ?? ''))
    return { label, found }
  })
  const figures = (form: 'cashtag' | 'name'): Figures => {
    const counts = pairs.map(({ label, found }) => {
      const labelled = label.mentions.filter((mention) => mention.form === form)
      const all = found.filter(({ how }) => how === form)
      const own = all.filter((mention) => !abstains(mention, label.mentions))
      return {
        labelled: labelled.length,
        found: own.length,
        abstained: all.length - own.length,
        rightFound: own.filter((mention) => agrees(mention, label.mentions)).length,
        labelledFound: labelled.filter((mention) => agrees(mention, found)).length,
      }
    })
    return counts.reduce(
      (sum, one) => ({
        labelled: sum.labelled + one.labelled,
        found: sum.found + one.found,
        abstained: sum.abstained + one.abstained,
        rightFound: sum.rightFound + one.rightFound,
        labelledFound: sum.labelledFound + one.labelledFound,
      }),
      { labelled: 0, found: 0, abstained: 0, rightFound: 0, labelledFound: 0 },
    )
  }
  return { cashtag: figures('cashtag'), name: figures('name'), misses }
}

export function precision({ rightFound, found }: Figures): number {
  return found === 0 ? 1 : rightFound / found
}

export function recall({ labelledFound, labelled }: Figures): number {
  return labelled === 0 ? 1 : labelledFound / labelled
}

interface Span {
  readonly instrument: string
  readonly start: number
  readonly end: number
}

function agrees(mention: Span, others: readonly Span[]): boolean {
  return others.some((other) => other.instrument === mention.instrument && overlap(mention, other))
}

function abstains(mention: Span, labels: readonly Span[]): boolean {
  return (
    mention.instrument.startsWith('unresolved:') &&
    !agrees(mention, labels) &&
    labels.some((label) => overlap(mention, label))
  )
}

function overlap(one: Span, other: Span): boolean {
  return one.start < other.end && other.start < one.end
}

function missesOf(
  label: LabelledPost,
  found: readonly TextMention[],
  text: string,
): readonly Miss[] {
  const miss = (kind: Miss['kind'], form: string, span: Span): Miss => ({
    post: label.id,
    kind,
    form,
    written: text.slice(span.start, span.end),
    instrument: span.instrument,
  })
  return [
    ...found
      .filter((mention) => !agrees(mention, label.mentions) && !abstains(mention, label.mentions))
      .map((mention) => miss('wrong', mention.how, mention)),
    ...label.mentions
      .filter((mention) => mention.form !== 'ticker' && !agrees(mention, found))
      .map((mention) => miss('missed', mention.form, mention)),
  ]
}

function readLines<Row>(file: string): Row[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line): Row => JSON.parse(line))
}

/** The phrases of the `guidance` expert, from the two tables in pipeline/models/guidance/. */
import { parse } from 'csv-parse/sync'
import { AppError } from '../../infra/errors.ts'
import { type Phrase, wordShapes } from './phrases.ts'

export const directions = ['up', 'flat', 'down'] as const
export type Direction = (typeof directions)[number]

export interface GuidancePattern {
  /** What it is about: patterns of one group and direction are one feature. */
  readonly group: string
  readonly direction: Direction
  readonly phrase: Phrase
  /** As in the table. */
  readonly written: string
  /** A text that it must be found in. */
  readonly example: string
}

export interface GuidanceTables {
  readonly patterns: readonly GuidancePattern[]
  readonly negators: readonly string[]
}

/**
 * A pattern is a row of elements with blanks between them: words of which one must stand there (`shares|stock`), by name of a class in the table of
 * words (`<raise>`) or of a shape (`<percent>`); `~3` before an element lets up to three words stand before it. Throws `MODEL` on anything else.
 */
export function readGuidanceTables(patterns: Uint8Array, words: Uint8Array): GuidanceTables {
  const classes = new Map(
    rowsOf(words).map(({ class: name = '', words = '' }) => [name, words.split(' ')] as const),
  )
  return {
    patterns: rowsOf(patterns).map(({ group = '', direction, pattern = '', example = '' }) => ({
      group,
      direction: directionOf(direction),
      phrase: phraseOf(pattern, classes),
      written: pattern,
      example,
    })),
    negators: classes.get('negator') ?? [],
  }
}

function rowsOf(bytes: Uint8Array): Record<string, string | undefined>[] {
  return parse(Buffer.from(bytes), { columns: true })
}

function directionOf(written: string | undefined): Direction {
  const found = directions.find((direction) => direction === written)
  if (found === undefined) throw damaged(`direction ${written}`)
  return found
}

function phraseOf(pattern: string, classes: ReadonlyMap<string, readonly string[]>): Phrase {
  const elements: Phrase[number][] = []
  let gap = 0
  for (const part of pattern.split(' ')) {
    if (/^~\d$/.test(part)) {
      gap = Number(part[1])
      continue
    }
    elements.push({ words: part.split('|').flatMap((word) => wordsNamed(word, classes)), gap })
    gap = 0
  }
  return elements
}

function wordsNamed(
  word: string,
  classes: ReadonlyMap<string, readonly string[]>,
): readonly string[] {
  if (!word.startsWith('<')) return [word]
  const shape = wordShapes.find((name) => name === word)
  const found = shape === undefined ? classes.get(word.slice(1, -1)) : [shape]
  if (found === undefined) throw damaged(`class ${word}`)
  return found
}

function damaged(what: string): AppError {
  return new AppError('MODEL', `The patterns of the expert guidance name an unknown ${what}.`)
}

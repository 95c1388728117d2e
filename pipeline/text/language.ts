/**
 * Which language a post is in, so that no expert judges what it cannot read: as its source declares, or else by a script other than Latin, or
 * else by its words. A doubtful text counts as English, which nearly all are.
 */
import { withoutTags } from './distinctive-words.ts'
import { type DetectedLanguage, latinLanguage } from './latin-language.ts'
import { languageOfScript } from './script.ts'

/** Primary language subtags that some expert reads. */
const expertLanguages: ReadonlySet<string> = new Set(['en'])

/** ISO 639-2 codes for "undetermined", "several", "no entry" and "no language at all": these declare nothing. */
const undeclared: ReadonlySet<string> = new Set(['und', 'mul', 'mis', 'zxx'])

/** No more of a text is looked at: longer ones are not in doubt. */
const readLength = 2_000

/**
 * `claimed` is what the source says, a BCP 47 tag; what is none counts as nothing said. It wins, with confidence 1, unless it names English
 * for a text that is in another script. The tag returned is a primary language subtag (`zh` for `zh-Hant`, `en` for `en-US`), or `und` with a script
 * that several languages share (`und-Cyrl`). Confidence without a claim: where the script decides, the share of letters that are not Latin; in Latin
 * letters the probability of the language returned, so that English may carry a low one.
 */
export function detectLanguage(text: string, claimed = ''): DetectedLanguage {
  const claim = primaryLanguage(claimed)
  if (claim !== undefined && !isSupportedLanguage(claim)) return { language: claim, confidence: 1 }
  const read = withoutTags(text.slice(0, readLength))
  const script = languageOfScript(read)
  if (script !== undefined && script.language !== claim)
    return { language: script.language, confidence: script.share }
  return claim === undefined ? latinLanguage(read) : { language: claim, confidence: 1 }
}

/** Whether an expert can judge a text in this language; the others get outcome `unsupported`. */
export function isSupportedLanguage(tag: string): boolean {
  return expertLanguages.has(tag)
}

function primaryLanguage(claimed: string): string | undefined {
  if (claimed === '') return undefined
  try {
    const [tag = ''] = Intl.getCanonicalLocales(claimed.trim().replaceAll('_', '-'))
    const [primary = ''] = tag.split('-')
    return undeclared.has(primary) || primary.length > 3 ? undefined : primary
  } catch {
    return undefined
  }
}

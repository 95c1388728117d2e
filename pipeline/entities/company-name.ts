/**
 * Words that say what form a company has, not which company it is. They go from the end of a name, one after another:
 * 'MICROSOFT CORP' -> 'MICROSOFT', 'Hershey Company (The)' -> 'Hershey'.
 */
const legalForms = new Set(
  `inc incorporated corp corporation co company companies ltd limited plc llc lp sa nv ag se ab asa spa
  holding holdings group trust the de new`.split(/\s+/),
)

/** A company's name as people write it: without its legal form, its state ('/DE/') and its share class ('(Class A)'). */
export function shortName(registered: string): string {
  const words = registered
    .replace(/\(.*?\)/g, '')
    .replace(/\/.*$/, '')
    .replace(/ - .*$/, '')
    .trim()
    .split(/\s+/)
  while (words.length > 1 && legalForms.has(bare(words.at(-1)))) words.pop()
  if (words.length > 1 && /^(&|and|of)$/i.test(words.at(-1) ?? '')) words.pop()
  return words.join(' ').replace(/[,.]+$/, '')
}

/** SEC shouts some names: 'HOME DEPOT, INC.' reads 'Home Depot, Inc.'. Mixed case is left alone. */
export function readableName(registered: string): string {
  const name = registered.replace(/\s*\/.*$/, '')
  if (name !== name.toUpperCase()) return name
  return name.replace(/\p{L}+/gu, (word) =>
    word.length <= 2 && word !== 'CO' ? word : `${word[0]}${word.slice(1).toLowerCase()}`,
  )
}

function bare(word: string | undefined): string {
  return (word ?? '').replace(/[.,]/g, '').toLowerCase()
}

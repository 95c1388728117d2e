import { quoteText } from './sql.ts'
import type { Params } from './store.ts'

/**
 * `{name:Type}` replaced by the value as a literal of that type. For the embedded engine alone: chdb runs statements with bound
 * parameters one at a time, whatever their connection, so that an analyst's long query would hold up the writer. Names without a
 * value stay, and the engine refuses them.
 */
export function inlineParams(sql: string, params: Params): string {
  return sql.replace(/\{(\w+):([^{}]+)\}/g, (placeholder, name: string, type: string) => {
    if (!Object.hasOwn(params, name)) return placeholder
    const value = literal(params[name])
    // A setting takes a literal alone, never an expression.
    return type === 'String' ? value : `CAST(${value} AS ${type})`
  })
}

function literal(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(literal).join(', ')}]`
  if (value === null || typeof value === 'number' || typeof value === 'boolean')
    return String(value)
  return quoteText(String(value).toWellFormed())
}

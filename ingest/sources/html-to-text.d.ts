declare module 'html-to-text' {
  export interface Options {
    readonly wordwrap: false
    readonly selectors: readonly {
      readonly selector: string
      readonly format?: string
      readonly options?: Readonly<Record<string, unknown>>
    }[]
    readonly limits: {
      readonly maxInputLength: number
      readonly maxDepth: number
      readonly maxChildNodes: number
      readonly ellipsis: string
    }
  }
  export function compile(options: Options): (html: string) => string
}

/** A failure as ClickHouse's HTTP interface reports it: a number, a name and a status. */

/** Statuses that are not 500, by the names of the errors, as src/Server/HTTP/exceptionCodeToHTTPStatus.cpp of ClickHouse has them. */
const statusOf: Readonly<Record<string, number>> = {
  ...named(
    400,
    'BAD_ARGUMENTS CANNOT_COMPILE_REGEXP CANNOT_PARSE_TEXT CANNOT_PARSE_ESCAPE_SEQUENCE CANNOT_PARSE_QUOTED_STRING',
    'CANNOT_PARSE_DATE CANNOT_PARSE_DATETIME CANNOT_PARSE_NUMBER CANNOT_PARSE_DOMAIN_VALUE_FROM_STRING CANNOT_PARSE_IPV4',
    'CANNOT_PARSE_IPV6 CANNOT_PARSE_INPUT_ASSERTION_FAILED CANNOT_PARSE_UUID DUPLICATE_COLUMN ILLEGAL_COLUMN',
    'UNKNOWN_ELEMENT_IN_AST UNKNOWN_TYPE_OF_AST_NODE THERE_IS_NO_COLUMN TOO_DEEP_AST TOO_BIG_AST UNEXPECTED_AST_STRUCTURE',
    'SYNTAX_ERROR INCORRECT_DATA TYPE_MISMATCH VALUE_IS_OUT_OF_RANGE_OF_DATA_TYPE',
  ),
  ...named(401, 'REQUIRED_PASSWORD'),
  ...named(403, 'UNKNOWN_USER WRONG_PASSWORD AUTHENTICATION_FAILED ACCESS_DENIED'),
  ...named(
    404,
    'UNKNOWN_TABLE UNKNOWN_FUNCTION UNKNOWN_IDENTIFIER UNKNOWN_TYPE UNKNOWN_STORAGE UNKNOWN_DATABASE UNKNOWN_SETTING',
    'UNKNOWN_DIRECTION_OF_SORTING UNKNOWN_AGGREGATE_FUNCTION UNKNOWN_FORMAT UNKNOWN_DATABASE_ENGINE UNKNOWN_TYPE_OF_QUERY',
  ),
  ...named(408, 'TIMEOUT_EXCEEDED'),
  ...named(413, 'QUERY_IS_TOO_LARGE'),
  ...named(501, 'NOT_IMPLEMENTED'),
  ...named(503, 'SOCKET_TIMEOUT CANNOT_OPEN_FILE CANNOT_SCHEDULE_TASK'),
}

function named(status: number, ...lines: readonly string[]): Record<string, number> {
  return Object.fromEntries(lines.flatMap((line) => line.split(' ')).map((name) => [name, status]))
}

export class ServerException extends Error {
  readonly code: number
  readonly status: number

  private constructor(code: number, status: number, message: string) {
    super(message)
    this.code = code
    this.status = status
  }

  /** A failure that the front finds itself. */
  static of(code: number, name: string, what: string): ServerException {
    const message = `Code: ${code}. DB::Exception: ${what}. (${name})`
    return new ServerException(code, statusOf[name] ?? 500, message)
  }

  /** What the server answers to a form that it cannot read: an exception of its HTTP library. */
  static form(what: string): ServerException {
    const message = `Poco::Exception. Code: 1000, e.code() = 0, HTML Form Exception: ${what}`
    return new ServerException(1000, 500, message)
  }

  /** The engine's words `Code: 60. DB::Exception: Unknown table ... (UNKNOWN_TABLE)`, the last line of which names the error. */
  static fromEngine(words: string): ServerException {
    const code = Number(/^Code: (\d+)/.exec(words)?.[1] ?? 1002)
    const name = /\(([A-Z][A-Z0-9_]{2,})\)(?: \(version [^()]*\))?\s*$/.exec(words)?.[1] ?? ''
    return new ServerException(code, statusOf[name] ?? 500, withoutRows(words.trim()))
  }
}

/** The engine quotes its statement, in which the rows stand that a server has in the request's body. */
function withoutRows(words: string): string {
  return words.replace(
    /format\(JSONEachRow, ('(?:[^'\\]|\\.)*'), '(?:[^'\\]|\\.)*'?\)?/gs,
    'input($1)',
  )
}

/** The page's markup: a log, a word of what went wrong, and a composer. */
export interface PageParts {
  readonly policy: string;
  readonly nonce: string;
  readonly style: string;
  readonly script: string;
}

export function chatPage({ policy, nonce, style, script }: PageParts): string {
  return `<!DOCTYPE html>
<html>
  <head>
    <meta charset="utf-8">
    <meta http-equiv="Content-Security-Policy" content="${policy}">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <link rel="stylesheet" href="${style}">
    <title>Coterie</title>
  </head>
  <body>
    <main id="posts" role="log" aria-live="polite" aria-relevant="additions text" tabindex="0"></main>
    <div id="news" role="status"></div>
    <div id="status" role="status"></div>
    <form id="composer">
      <div class="hint" id="hint" role="status"></div>
      <textarea rows="1" aria-describedby="hint" disabled></textarea>
      <button type="submit" disabled></button>
    </form>
    <script nonce="${nonce}" src="${script}"></script>
  </body>
</html>`;
}

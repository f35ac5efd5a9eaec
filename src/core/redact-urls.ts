/** Takes secrets out of URLs, wherever they are shown. */

export const MASK = '***';

const SECRET_PARAMETER =
  /([?&][^=&#\s]*(?:sig|signature|token|secret|password|key|credential)[^=&#\s]*=)[^&#\s]*/gi;

/**
 * Masks the password of every URL in the text, and the parameters that sign or open one (presigned links).
 * A Redis password may hold "/" or "@" unescaped, so there everything up to the last "@" goes.
 */
export function redactUrls(text: string): string {
  return text
    .replace(/\b((?:rediss?|unix)(?:\+[a-z]+)?:\/\/)([^\s"'<>]*)@/gi, maskUser)
    .replace(/\b([a-z][a-z0-9+.-]*:\/\/)([^\s"'<>/?#@]*)@/gi, maskUser)
    .replace(SECRET_PARAMETER, `$1${MASK}`);
}

function maskUser(_all: string, scheme: string, userinfo: string): string {
  const colon = userinfo.indexOf(':');
  return colon === -1 ? `${scheme}${MASK}@` : `${scheme}${userinfo.slice(0, colon)}:${MASK}@`;
}

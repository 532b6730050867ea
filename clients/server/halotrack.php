<?php
/**
 * Counts a page from the shop's own server, before it is sent: no script in the page is needed.
 *
 *     require 'halotrack.php';
 *     $session = halotrack_touch('https://stats.agency.example', getenv('HALOTRACK_TOKEN'));
 *
 * Call it before anything is printed: it sets the cookie `_halo`. It gives the session's id for your own forms and orders,
 * or null where nothing may be kept. Whatever goes wrong, the page goes on after half a second at most. The token is one of
 * the scope `write`. Behind a proxy of your own hand over the visitor's address as the third argument.
 */

function halotrack_touch(string $base, string $token, ?string $address = null, float $patience = 0.5): ?string
{
    if (!halotrack_is_page()) {
        return null;
    }
    $known = $_COOKIE['_halo'] ?? null;
    $body = json_encode(array_filter([
        'landing' => $_SERVER['REQUEST_URI'] ?? '/',
        'referrer' => $_SERVER['HTTP_REFERER'] ?? null,
        'ip' => $address ?? $_SERVER['REMOTE_ADDR'] ?? null,
        'user_agent' => $_SERVER['HTTP_USER_AGENT'] ?? null,
        'language' => strtok($_SERVER['HTTP_ACCEPT_LANGUAGE'] ?? '', ',;') ?: null,
        'consent_cookies' => $_SERVER['HTTP_COOKIE'] ?? null,
        'gpc' => ($_SERVER['HTTP_SEC_GPC'] ?? '') === '1' ?: null,
        'session_id' => $known,
    ], fn ($value) => $value !== null), JSON_INVALID_UTF8_SUBSTITUTE | JSON_UNESCAPED_SLASHES);
    $context = stream_context_create(['http' => [
        'method' => 'POST',
        'header' => "Content-Type: application/json\r\nAuthorization: Bearer $token\r\nConnection: close",
        'content' => $body,
        'timeout' => $patience,
        'ignore_errors' => true,
        'follow_location' => 0,
    ]]);
    $answer = json_decode((string) @file_get_contents(rtrim($base, '/') . '/api/touch', false, $context), true);
    if (!is_array($answer) || !array_key_exists('session_id', $answer)) {
        return $known;
    }
    $session = is_string($answer['session_id']) ? $answer['session_id'] : null;
    if (!headers_sent() && ($session !== null || $known !== null)) {
        setcookie('_halo', $session ?? '', [
            'expires' => $session === null ? 1 : time() + 365 * 86400,
            'path' => '/',
            'samesite' => 'Lax',
            'secure' => !empty($_SERVER['HTTPS']) && $_SERVER['HTTPS'] !== 'off',
        ]);
    }
    return $session;
}

/** A page that somebody opens now: no picture, no request of a script, nothing that a browser fetches ahead. */
function halotrack_is_page(): bool
{
    $early = '';
    foreach (['SEC_PURPOSE', 'PURPOSE', 'X_PURPOSE', 'X_MOZ'] as $name) {
        $early .= ' ' . ($_SERVER["HTTP_$name"] ?? '');
    }
    $dest = $_SERVER['HTTP_SEC_FETCH_DEST'] ?? null;
    $is_page = $dest !== null ? $dest === 'document' : str_contains($_SERVER['HTTP_ACCEPT'] ?? '', 'text/html');
    return ($_SERVER['REQUEST_METHOD'] ?? '') === 'GET' && $is_page && !preg_match('/prefetch|prerender|preview/i', $early);
}

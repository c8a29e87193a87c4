// Style is prettier's; here are only rules that find mistakes, and the habits that keep the pure rooms pure.
import js from '@eslint/js';
import { defineConfig, globalIgnores } from 'eslint/config';
import ts from 'typescript-eslint';

// The pure rooms (docs/ARCHITECTURE.md). Time, randomness and I/O are handed in, so that a simulator owns them and one seed is one run.
const pureRooms = ['src/base/**', 'src/crypto/*.ts', 'src/protocol/**', 'src/sync/**', 'src/tools/**'];

const impureGlobals = [
  ...[
    'Date',
    'performance',
    'setTimeout',
    'setInterval',
    'setImmediate',
    'clearTimeout',
    'clearInterval',
    'queueMicrotask',
  ],
  ...['console', 'process', 'Buffer', 'require', 'fetch', 'crypto', 'WebSocket', 'Worker', 'window', 'document'],
];

/** Ways to a notification past src/views/notify.ts: a call that is no dialog, the function handed on, or taken out of its object. */
const notifying = '/^(show(Information|Warning|Error)Message|withProgress)$/';
const unplain = [
  `CallExpression[callee.property.name=${notifying}]:not([arguments.1.properties.0.key.name="modal"])`,
  `MemberExpression[property.name=${notifying}]:not(CallExpression > MemberExpression.callee)`,
  `ObjectPattern > Property[key.name=${notifying}]`,
];

export default defineConfig(
  globalIgnores(['dist/', 'out/', 'out-test/', 'bench/results/', 'types/']),
  js.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [ts.configs.recommendedTypeChecked],
    languageOptions: {
      parserOptions: { project: ['tsconfig.json', 'tsconfig.webviews.json'], tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/no-deprecated': 'error',
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-import-type-side-effects': 'error',
      '@typescript-eslint/no-unnecessary-condition': ['error', { allowConstantLoopConditions: true }],
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_', caughtErrors: 'none', ignoreRestSiblings: true },
      ],
      '@typescript-eslint/only-throw-error': 'error',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      // A port's fake answers at once what the real thing must wait for: async without await is right there.
      '@typescript-eslint/require-await': 'off',
      eqeqeq: 'error',
      'no-var': 'error',
      'prefer-const': 'error',
    },
  },
  {
    files: pureRooms,
    rules: {
      'no-restricted-globals': [
        'error',
        ...impureGlobals.map((name) => ({ name, message: 'A pure room: time, randomness and I/O are handed in.' })),
      ],
      'no-restricted-properties': [
        'error',
        { object: 'Math', property: 'random', message: 'A pure room: randomness is handed in.' },
        { object: 'globalThis', property: 'crypto', message: 'A pure room: randomness is handed in.' },
      ],
    },
  },
  {
    // A webview meets hostile text: it reaches the page as text, or through the sanitiser.
    files: ['src/webviews/**'],
    rules: {
      'no-restricted-properties': [
        'error',
        { property: 'innerHTML', message: 'What a peer wrote is hostile: use textContent, or the sanitised fragment.' },
        { property: 'outerHTML', message: 'What a peer wrote is hostile: use textContent, or the sanitised fragment.' },
      ],
    },
  },
  {
    // VS Code runs what a link in a notification says, and foreign names stand there: notify.ts makes them plain. A dialog reads no links.
    files: ['src/views/**', 'src/extension.ts'],
    ignores: ['src/views/notify.ts'],
    rules: {
      'no-restricted-syntax': [
        'error',
        ...unplain.map((selector) => ({
          selector,
          message: 'What others named may be a link: notify or notifyWhile makes it plain.',
        })),
      ],
    },
  },
  {
    files: ['test/**', 'bench/**'],
    rules: {
      // Tests index into what they have just made, and assert on what the types already promise.
      '@typescript-eslint/no-unnecessary-condition': 'off',
      '@typescript-eslint/unbound-method': 'off',
    },
  },
  {
    files: ['**/*.mjs', '**/*.cjs'],
    languageOptions: {
      globals: {
        console: 'readonly',
        process: 'readonly',
        setTimeout: 'readonly',
        clearTimeout: 'readonly',
        URL: 'readonly',
        module: 'writable',
        require: 'readonly',
      },
    },
  },
);

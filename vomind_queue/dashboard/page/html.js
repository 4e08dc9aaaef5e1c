// The drawing library as the other files use it.
import { h, render } from 'preact';
import htm from 'htm';

export { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
export { render };
export const html = htm.bind(h);

import type { FuzzTarget } from '../fuzz-target.ts';
import { basicInfo } from './basic-info.ts';
import { envelope } from './envelope.ts';
import { envelopeHeader } from './envelope-header.ts';
import { environment } from './environment.ts';
import { frame } from './frame.ts';
import { frameMessage } from './frame-message.ts';
import { head } from './head.ts';
import { headPayload } from './head-payload.ts';
import { kongConf } from './kong-conf.ts';
import { lmdb } from './lmdb.ts';
import { selector } from './selector.ts';
import { settingsFile } from './settings-file.ts';
import { tlsRecords } from './tls-records.ts';

export const TARGETS: readonly FuzzTarget[] = [
  head,
  headPayload,
  envelope,
  envelopeHeader,
  frame,
  frameMessage,
  settingsFile,
  kongConf,
  environment,
  basicInfo,
  tlsRecords,
  lmdb,
  selector,
];

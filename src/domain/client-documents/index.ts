/** Client ID metadata documents: clients whose `client_id` is the address of a document that describes them. */
export { ClientDocuments, maxDocumentBytes, maxKeysBytes, type RefreshOutcome } from './client-documents.ts';

"""The pages of docs/reference/, made of the code they describe. Text only: no project, no engine is looked at."""

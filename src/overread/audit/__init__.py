"""May these data be trained on: what spoils a study, found before it is trained."""

export { type CreatedProject, type CreateProjectOptions, createProject } from './create-project'
